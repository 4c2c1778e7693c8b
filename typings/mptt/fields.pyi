from django.db.models import ForeignKey, ManyToManyField, OneToOneField

# Aliases, so that django-stubs' plugin sees the relations it knows.
TreeForeignKey = ForeignKey
TreeOneToOneField = OneToOneField
TreeManyToManyField = ManyToManyField
