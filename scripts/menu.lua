-- A spoken menu: one function for each key.

route("0", function(call)
  call:answer()
  call:play("main/welcome")

  local choices = {
    prompt = "main/menu",
    invalid = "main/invalid",
    tries = 3,
    -- `go` runs the route of that number and comes back when it is through.
    ["1"] = function() call:go("123") end,
    ["2"] = function() call:go("600") end,
    ["3"] = function() call:go("700") end,
    ["4"] = function()
      call:play("main/transferring")
      call:go("100")
    end,
    ["5"] = function() call:go("*97") end,
    ["*"] = function() end,
    -- Nothing was pressed, three times.
    timeout = function() call:play { "main/nothing-pressed", "main/goodbye" } end,
  }

  -- `menu` gives back what was pressed: a star asks for the menu once more.
  repeat
    local pressed = call:menu(choices)
  until pressed ~= "*"
end)
