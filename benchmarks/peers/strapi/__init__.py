"""Strapi: the smallest project that has stores, items and who may change them."""
