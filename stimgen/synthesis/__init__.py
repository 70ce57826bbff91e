"""Contains the numerical core: terms, objectives, optimisers, start images and the methods that use them."""
