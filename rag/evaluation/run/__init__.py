"""Systems asked judged questions by the product's own retrieval."""
