"""The baseline of `bench.ui`: an empty Streamlit chat."""

import streamlit as st

st.chat_input("Say something")
