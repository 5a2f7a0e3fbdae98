from supabase import create_client

client = create_client("https://example.org", "key")


def main():
    return client.table("prod.core.devices_v1").select("*").execute()
