"""From points on disk to tables: views, the index, and one data frame for any source."""
