-- A menu in two languages. The caller chooses once; every prompt after that is taken from the folder
-- of that language, `prompts/en` or `prompts/es`, so the dialplan itself is written only once.
--
-- To change: add a language by adding its key, its folder and its prompts.

local LANGUAGES = { ["1"] = "en", ["2"] = "es" }

route("220", { public = true }, function(call)
  call:answer()
  local key = call:read {
    prompt = { "en/cook/language", "es/cook/language" },
    max = 1, timeout = 4, tries = 2, match = { "1", "2" },
  }
  local lang = LANGUAGES[key] or "en"
  local function t(name) return lang .. "/" .. name end

  call:menu {
    prompt = t "cook/reception", tries = 2,
    ["1"] = function() call:dial("ext/101", { music = "music/waltz" }) end,
    ["2"] = function() call:dial("ext/102", { music = "music/waltz" }) end,
    ["3"] = function() call:play(t "cook/hours") end,
    otherwise = function()
      local result = call:dial("ext/100")
      if result.status ~= "ANSWERED" then call:play(t "main/not-available") end
    end,
  }
  call:play(t "main/goodbye")
  call:hangup()
end)
