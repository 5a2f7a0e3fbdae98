SELECT 'core.users_v1'::regclass
