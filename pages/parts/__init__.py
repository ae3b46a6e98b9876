"""What the pages are made of; Streamlit looks for pages in the folder above only."""
