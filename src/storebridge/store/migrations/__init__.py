"""store/migrations: one file per revision, oldest first; never edited once released."""
