"""Access: who may record what, who may see what, and what is withheld."""
