"""Money of orders by the API: records of payments, refunds, and the older payments collector."""
