"""The billing calendar: the same pages in the dashboard and in the portal, of different reach."""
