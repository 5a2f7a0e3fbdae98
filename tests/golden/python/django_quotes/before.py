from django.db import models


class Device(models.Model):
    model = models.TextField()

    class Meta:
        managed = False
        db_table = 'prod"."core"."devices_v1'
