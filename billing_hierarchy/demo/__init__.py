"""Two tenants to look at: a vendor whose customers are trees, and one whose customers are not.

Everything is made by the operations that people and programs use, from the files beside this one.
"""

from billing_hierarchy.demo.building import complete_tenant, is_complete
from billing_hierarchy.demo.passwords import demo_password
from billing_hierarchy.demo.plans import PLANS, Login, Plan, logins_of

__all__ = [
    "PLANS",
    "Login",
    "Plan",
    "complete_tenant",
    "demo_password",
    "is_complete",
    "logins_of",
]
