from sqlmesh import model


@model("core.models", depends_on={"prod.core.devices_v1"}, columns={"model": "text"})
def execute(context, **kwargs):
    return context.fetchdf("SELECT model FROM prod.core.devices_v1")
