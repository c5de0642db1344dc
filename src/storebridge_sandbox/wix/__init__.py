"""The pretend Wix site. Start reading at ``store.py``; per resource a state file and a responses file."""
