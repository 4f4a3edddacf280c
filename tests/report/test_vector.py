from nntest.report.vector import inline_svg

SVG = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg width="10pt" height="20pt" viewBox="0 0 10 20"><metadata>date</metadata>
<defs><path id="m1" style="stroke: #24292F"/></defs>
<use xlink:href="#m1" clip-path="url(#c1)"/><rect width="3" height="4" style="fill: #c8ccd1"/></svg>
"""


def test_a_chart_becomes_part_of_the_page() -> None:
    found = inline_svg(SVG, prefix="violin", label="a &lt; b")
    assert found.startswith('<svg role="img" aria-label="a &lt; b" viewBox="0 0 10 20">')
    assert "metadata" not in found
    assert 'id="violin-m1"' in found
    assert 'xlink:href="#violin-m1"' in found
    assert "url(#violin-c1)" in found
    assert "stroke: var(--ink)" in found
    assert "fill: var(--line)" in found
    assert '<rect width="3" height="4"' in found
