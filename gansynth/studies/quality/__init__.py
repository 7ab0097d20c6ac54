"""Quality: how good synthetic images are, class by class."""
