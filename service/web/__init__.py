"""The pages of people: server-rendered, usable without JavaScript, in fi, sv and en."""
