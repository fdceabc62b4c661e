-- case: routes that no number reaches
  local function h(call) call:busy() end
  route("[2-4]XX", h)
--      ^^^^^^^^^ shadowed-route: no number ever reaches "[2-4]XX" (all of its numbers go to "2XX", "3XX", "4XX", which are more exact)
  route("2XX", h)
  route("3XX", h)
  route("4XX", h)
  route("1!", h)
--      ^^^^ shadowed-route: no number ever reaches "1!" (all of its numbers go to "1", "1.", which are more exact)
  route("1", h)
  route("1.", h)
  route("[56]", h)
  route("5", h)
-- case: patterns that cannot be read
  route("1xx", function(call) call:busy() end)
--      ^^^^^ wrong-value: route: pattern "1xx": pattern letters are capitals: write "1XX"
  route("", function(call) call:busy() end)
--      ^^ wrong-value: route: pattern "": the pattern is empty
  route(true, function(call) call:busy() end)
--      ^^^^ wrong-type: route: pattern: expected a pattern or a name, got a boolean
  route("2", "101")
--           ^^^^^ wrong-type: route: handler: expected a function, got a string
  route("3")
--^^^^^ missing-argument: route: handler is missing; expected a function
-- case: files
  require "extensions"
  require "lib.hours"
  require "lib.hour"
--        ^^^^^^^^^^ unknown-module: require: there is no scripts/lib/hour.lua; did you mean scripts/lib/hours.lua?
  require "lib/hours"
-- file: extensions.lua
  route("1", function(call) call:busy() end)
-- file: lib/hours.lua
  return { open = "mon-fri" }
-- file: old.lua
  route("2", function(call) call:busy() end)
--^ unused-file: no other script requires this file (write require "old" in main.lua, or delete the file)
-- case: a file that only tests bring in is part of another dialplan
  route("1", function(call) call:go("7") end)
--                                  ^^^ no-route: call:go: no route matches "7"; did you mean "1"?
-- file: recipe.lua
  route("1", function(call) call:go("7") end)
-- file: tests/recipe.lua
  dialplan "recipe"
