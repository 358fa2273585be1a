"""The Plug's licence: asked for, checked, installed, renewed."""
