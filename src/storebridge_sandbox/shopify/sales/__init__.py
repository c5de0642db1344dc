"""What was sold and what became of it: the state of orders, and the desks that change it.

The folders ``orders``, ``fulfilments``, ``refunds``, ``returns`` and ``payments`` show it and let the API change it.
"""
