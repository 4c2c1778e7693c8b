"""What is done to subscriptions, one by one."""
