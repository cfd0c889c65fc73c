-- What wrk sends, and one line of JSON when it is done.
-- Arguments: the operation, tokens with commas between, how many items and stores there are, a seed, and for a login
-- the user name and the password.

local ask, items, stores
local callers = {}

local function item()
  local number = math.random(items)
  return "/item/item" .. number, number % stores + 1
end

-- A word of the vocabulary of growth.py.
local function word()
  local letters = ""
  for _ = 1, 3 do
    local consonant, vowel = math.random(9), math.random(3)
    letters = letters .. ("bdfgklmnp"):sub(consonant, consonant) .. ("aio"):sub(vowel, vowel)
  end
  return letters
end

local function caller()
  return callers[math.random(#callers)]
end

local asks = {
  read = function() return wrk.format("GET", (item()), caller()) end,

  list = function() return wrk.format("GET", "/items?limit=20", caller()) end,

  update = function()
    local path, store = item()
    local price = string.format("%d.%02d", math.random(0, 99), math.random(0, 99))
    return wrk.format("PUT", path, caller(), '{"price": ' .. price .. ', "store_id": ' .. store .. "}")
  end,

  page = function()
    return wrk.format("GET", "/store/store" .. math.random(stores) .. "/items?sort=price&limit=20", caller())
  end,

  search = function() return wrk.format("GET", "/items?limit=20&q=" .. word(), caller()) end,

  login = function() return wrk.format("POST", "/login") end,

  refresh = function() return wrk.format("POST", "/refresh", caller()) end,
}

-- The headers of a request with this token. Only a body has a type.
local function signed_in(token, has_body)
  local type = has_body and "application/json" or nil
  return {Authorization = "Bearer " .. token, ["Content-Type"] = type}
end

function init(args)
  ask, items, stores = asks[args[1]], tonumber(args[3]), tonumber(args[4])
  math.randomseed(tonumber(args[5]))
  for token in args[2]:gmatch("[^,]+") do
    table.insert(callers, signed_in(token, args[1] == "update"))
  end
  if args[1] == "login" then
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = '{"username": "' .. args[6] .. '", "password": "' .. args[7] .. '"}'
  end
end

function request()
  return ask()
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "broken": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
