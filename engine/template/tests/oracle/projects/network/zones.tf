locals {
  zones = {
    {% for z, cidr in zones.items() -%}
    "{{ z }}" = { cidr = "{{ cidr }}", index = {{ loop.index0 }}, gateway = "{{ cidr.split('.')[:3] | join('.') }}.1" }
    {% endfor -%}
  }
  cidrs = {{ cidrs | tojson }}
  {%- set masks = cidrs | map('replace', '/', ' ') | list %}
  sizes = [{% for c in cidrs %}{{ 2 ** (32 - c.split('/')[1] | int) }}{{ ', ' if not loop.last }}{% endfor %}]
}
