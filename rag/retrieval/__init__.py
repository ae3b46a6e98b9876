"""From a question to ranked hits: the request, the retriever, and how signals become one ranking."""
