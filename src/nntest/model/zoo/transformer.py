"""Transformers as the matrix products that they consist of, with how often each occurs.

One sequence; attention is computed head by head over the whole square of positions. Beside the products stand the
layer normalisations, and attention once more as one operator, which replaces its two products and the softmax between
them. Activations and embeddings are left out; trained numbers outside the products are counted apart.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from nntest.model.shape import Parameters
from nntest.model.species import SPECIES


@dataclass(frozen=True, kw_only=True)
class Product:
    """``count`` products of (m x k) by (k x n); ``trained`` where the right factor is the model's, not computed."""

    name: str
    k: int
    m: int
    n: int
    count: int
    trained: bool = True

    @property
    def parameters(self) -> Parameters:
        """Normalised values of the gemm."""
        values = {"CK_GEMM_K": self.k, "CK_GEMM_M": self.m, "CK_GEMM_N": self.n}
        return SPECIES["gemm"].normalise(values, where=self.name)[0]

    @property
    def shape(self) -> str:
        """Canonical name of the shape."""
        return SPECIES["gemm"].shape_name(self.parameters)


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is no product: ``count`` equal operators of another species."""

    name: str
    species: str
    values: Mapping[str, int]
    count: int

    @property
    def parameters(self) -> Parameters:
        """Normalised values."""
        return SPECIES[self.species].normalise(self.values, where=self.name)[0]


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """All products of one pass; ``other_parameters`` counts trained numbers outside of them by what they are.

    ``steps`` are other operators of the pass, attention as a whole among them.
    """

    name: str
    source: str
    products: tuple[Product, ...]
    steps: tuple[Step, ...]
    other_parameters: Mapping[str, int]

    def macs(self) -> int:
        """Multiply-accumulates of all products."""
        return sum(item.count * item.k * item.m * item.n for item in self.products)

    def parameter_count(self) -> int:
        """Trained numbers, those outside the products included."""
        products = sum(item.count * item.k * item.n for item in self.products if item.trained)
        return products + sum(self.other_parameters.values())

    def multiplicities(self) -> dict[str, int]:
        """How often each shape occurs in one pass, in the order of the first occurrence."""
        counts: Counter[str] = Counter()
        for item in self.products:
            counts[item.shape] += item.count
        return dict(counts)


def bert_base(*, sequence: int = 128) -> Transformer:
    """Return BERT-base: 12 layers, width 768, 12 heads; with its pooler, without a task's own head."""
    layers, width, heads, inner = 12, 768, 12, 3072
    return Transformer(
        name="bert-base",
        source=f"arXiv:1810.04805, section 3, BERT-base; a sequence of {sequence} tokens",
        products=(
            Product(name="query, key, value", k=width, m=sequence, n=width, count=3 * layers),
            *_attention(width // heads, sequence, sequence, layers * heads),
            Product(name="attention output", k=width, m=sequence, n=width, count=layers),
            Product(name="feed forward in", k=width, m=sequence, n=inner, count=layers),
            Product(name="feed forward out", k=inner, m=sequence, n=width, count=layers),
            Product(name="pooler", k=width, m=1, n=width, count=1),
        ),
        steps=(
            # Its epsilon is 1e-12, below the millionths that a shape can say.
            _layernorm(sequence, width, 2 * layers + 1, epsilon_ppm=0),
            _whole_attention(heads, sequence, sequence, width // heads, layers),
        ),
        other_parameters={
            "token embeddings": 30522 * width,
            "position embeddings": 512 * width,
            "segment embeddings": 2 * width,
            "biases": layers * (5 * width + inner) + width,
            "layer normalisation": (2 * layers + 1) * 2 * width,
        },
    )


def vit_b_16(*, resolution: int = 224, classes: int = 1000) -> Transformer:
    """Return ViT-B/16: 12 layers, width 768, 12 heads, patches of 16x16 pixels; query, key and value in one product."""
    layers, width, heads, inner = 12, 768, 12, 3072
    patches = (resolution // 16) ** 2
    sequence = patches + 1
    return Transformer(
        name="vit-b-16",
        source=f"arXiv:2010.11929, table 1, ViT-Base with 16x16 patches; {resolution}x{resolution} pixels",
        products=(
            Product(name="patch embedding", k=16 * 16 * 3, m=patches, n=width, count=1),
            Product(name="query, key, value", k=width, m=sequence, n=3 * width, count=layers),
            *_attention(width // heads, sequence, sequence, layers * heads),
            Product(name="attention output", k=width, m=sequence, n=width, count=layers),
            Product(name="feed forward in", k=width, m=sequence, n=inner, count=layers),
            Product(name="feed forward out", k=inner, m=sequence, n=width, count=layers),
            Product(name="head", k=width, m=1, n=classes, count=1),
        ),
        steps=(
            _layernorm(sequence, width, 2 * layers + 1, epsilon_ppm=1),
            _whole_attention(heads, sequence, sequence, width // heads, layers),
        ),
        other_parameters={
            "class token": width,
            "position embeddings": sequence * width,
            "biases": width + layers * (5 * width + inner) + classes,
            "layer normalisation": (2 * layers + 1) * 2 * width,
        },
    )


def llama_7b_prefill(*, prompt: int = 512) -> Transformer:
    """Return LLaMA-7B reading a prompt; only the last position goes through the vocabulary."""
    source = f"reads a prompt of {prompt} tokens"
    return _llama_7b("llama-7b-prefill", source, tokens=prompt, context=prompt)


def llama_7b_decode(*, context: int = 512) -> Transformer:
    """Return LLaMA-7B writing one token, which sees ``context`` positions, its own included."""
    return _llama_7b("llama-7b-decode", f"writes token {context}", tokens=1, context=context)


def _llama_7b(name: str, what: str, *, tokens: int, context: int) -> Transformer:
    layers, width, heads, inner, vocabulary = 32, 4096, 32, 11008, 32000
    return Transformer(
        name=name,
        source=f"arXiv:2302.13971, table 2, 6.7 B; {what}",
        products=(
            Product(name="query, key, value", k=width, m=tokens, n=width, count=3 * layers),
            *_attention(width // heads, tokens, context, layers * heads),
            Product(name="attention output", k=width, m=tokens, n=width, count=layers),
            Product(name="gate and up", k=width, m=tokens, n=inner, count=2 * layers),
            Product(name="down", k=inner, m=tokens, n=width, count=layers),
            Product(name="vocabulary", k=width, m=1, n=vocabulary, count=1),
        ),
        # Its normalisation has no mean and is no layernorm.
        steps=(_whole_attention(heads, tokens, context, width // heads, layers, causal=tokens > 1),),
        other_parameters={
            "token embeddings": vocabulary * width,
            "normalisation": (2 * layers + 1) * width,
        },
    )


def _attention(head: int, tokens: int, context: int, count: int) -> tuple[Product, Product]:
    return (
        Product(name="attention scores", k=head, m=tokens, n=context, count=count, trained=False),
        Product(name="attention context", k=context, m=tokens, n=head, count=count, trained=False),
    )


def _whole_attention(heads: int, queries: int, keys: int, dim: int, count: int, *, causal: bool = False) -> Step:
    sizes = {"HEADS": heads, "QUERIES": queries, "KEYS": keys, "DIM": dim, "CAUSAL": int(causal)}
    values = {f"CK_ATTENTION_{name}": size for name, size in sizes.items()}
    return Step(name="attention", species="attention", values=values, count=count)


def _layernorm(rows: int, columns: int, count: int, *, epsilon_ppm: int) -> Step:
    sizes = {"M": rows, "N": columns, "EPSILON_PPM": epsilon_ppm}
    values = {f"CK_LAYERNORM_{name}": size for name, size in sizes.items()}
    return Step(name="layer normalisation", species="layernorm", values=values, count=count)
