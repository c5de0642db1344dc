"""exceptions_queue"""
