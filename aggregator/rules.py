"""The version of the rules of reading: raised with every rule or word that changes what a raw posting says."""

RULES_VERSION = 1
