"""The numerical core: terms, targets, optimisers, pyramid and the methods that use them."""
