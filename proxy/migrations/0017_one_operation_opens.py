from django.db import migrations


def surplus(rows):
    """Ids of those that nobody could call: of several that open the same only the last enabled one was heeded."""
    heeded = {}
    for pk, *place, enabled in sorted(rows, key=lambda row: (row[-1], row[0])):
        heeded[tuple(place)] = pk
    return sorted({row[0] for row in rows} - set(heeded.values()))


def leave_one(apps, schema_editor):
    """Delete operations that open what another one of their backend opens."""
    operations = apps.get_model("proxy", "Operation").objects
    rows = operations.exclude(feature="").values_list("id", "backend_id", "feature", "feature_name", "enabled")
    operations.filter(pk__in=surplus(list(rows))).delete()


class Migration(migrations.Migration):
    # The constraint follows in a migration of its own: PostgreSQL makes none on a table with changes to be checked

    dependencies = [
        ('proxy', '0016_costs_and_choices'),
    ]

    operations = [
        migrations.RunPython(leave_one, migrations.RunPython.noop, elidable=True),
    ]
