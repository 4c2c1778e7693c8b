"""What is done to subscriptions where money that was charged is concerned."""
