"""The cases, one file per concern; each function marked with `@case` is one."""
