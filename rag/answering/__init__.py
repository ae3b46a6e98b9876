"""From hits to a cited answer: prompts, citations, the chain, what is kept of it, and who writes it."""
