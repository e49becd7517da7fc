"""Spiders: one file a platform or site, named as the spider is."""
