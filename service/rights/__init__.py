"""The client's rights and the law's clock: copies, restriction, emergency access, and disposal when its time comes."""
