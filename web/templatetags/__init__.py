"""What templates of the dashboard and the portal can say."""
