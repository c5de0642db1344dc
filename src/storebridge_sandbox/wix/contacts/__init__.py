"""The people of the site: contacts in both versions of the API, labels, extended fields, members."""
