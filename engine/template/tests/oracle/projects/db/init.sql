{% if args.engine == 'postgres' %}
{% for e in args.extensions %}CREATE EXTENSION IF NOT EXISTS "{{ e }}";
{% endfor %}
{% endif %}
{% for user in args.users %}
CREATE ROLE "{{ user.name }}" LOGIN;
GRANT {{ user.grants | join(', ') }} ON ALL TABLES IN SCHEMA public TO {{ '"%s"' % user.name if '-' in user.name else user.name }};
{% endfor %}
-- {{ args.users | length }} users, {{ args.users | map(attribute='grants') | sum(start=[]) | unique | list | length }} grants
