"""Generated documents: each module or package here has `bodies()`, which yields its pages.

A body is a page before the theme's frame (see `tools.printing.Body`); the folder's listing is what
the build prints. Figures come from answers and facts, never from the keyboard.
"""
