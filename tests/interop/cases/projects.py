"""A folder to write a dialplan in, from the first command on."""

import json

from kit.case import case


@case
def a_new_project_passes_its_checks_and_tests(place):
    """`init`, `check` and `test`, one after the other; a second `init` changes nothing of ours."""
    folder = place.folder / "office"

    def run(name, *arguments):
        code, said = place.run(name, [place.binary, *arguments], folder=place.folder)
        assert code == 0, f"cordboard {' '.join(map(str, arguments))} ended with {code}:\n{said}"
        return said

    run("init", "init", folder)
    config = folder / "cordboard.toml"
    assert config.stat().st_mode & 0o777 == 0o600, "others can read the secrets"
    assert "everything is right" in run("check", "--config", config, "check")
    assert "5 tests passed" in run("test", "--config", config, "test")
    library = folder / json.loads((folder / ".luarc.json").read_text())["workspace.library"][0]
    assert "function Call:dial(" in (library / "cordboard.lua").read_text()

    written = config.read_bytes()
    (folder / "scripts/main.lua").write_text("-- ours\n")
    said = run("again", "init", folder, "--from", "freeswitch")
    assert f"kept  {config}" in said, said
    assert config.read_bytes() == written
    assert (folder / "scripts/main.lua").read_text() == "-- ours\n"
    assert (folder / "scripts/compat/freeswitch.lua").exists()
