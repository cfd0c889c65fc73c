-- What wrk sends, and one line of JSON when it is done.
-- Arguments: the method, the path, "signed" if the token belongs into the header, how many items and stores there are, a
-- seed, and how many tokens a run takes if each is good once and its answer has the next, or 0. The environment has what is secret: BENCH_BODY, and BENCH_TOKENS with commas between.
-- Path and body may have the names of `values` in braces.

local method, path, body, items, stores
local callers, is_once = {}, false

-- A word of the vocabulary of growth.py.
local function word()
  local letters = ""
  for _ = 1, 3 do
    local consonant, vowel = math.random(9), math.random(3)
    letters = letters .. ("bdfgklmnp"):sub(consonant, consonant) .. ("aio"):sub(vowel, vowel)
  end
  return letters
end

local function price()
  return string.format("%d.%02d", math.random(0, 99), math.random(0, 99))
end

-- What one request is about: an item drawn at random.
local values = {
  number = function(about) return about.number end,
  padded = function(about) return string.format("%011d", about.number) end,
  store = function(about) return about.number % stores + 1 end,
  token = function(about) return about.caller.token end,
  price = price,
  word = word,
}

local function fill(template, about)
  return (template:gsub("{(%a+)}", function(name) return values[name] and values[name](about) end))
end

-- A caller with his token, and the headers of his requests. Only a body has a type.
local function caller(token, is_signed)
  local headers = {}
  for name, value in pairs(wrk.headers) do headers[name] = value end
  if is_signed then headers["Authorization"] = "Bearer " .. token end
  if body then headers["Content-Type"] = headers["Content-Type"] or "application/json" end
  return {token = token, headers = headers}
end

-- Keep the tokens that no run has had yet, and take the next one from each answer.
local function use_once(many, run)
  is_once = true
  callers = {unpack(callers, run * many + 1, (run + 1) * many)}
  response = function(_, _, answer)
    table.insert(callers, caller(answer:match('"refresh_?[tT]oken":"([^"]+)"'), false))
  end
end

local function draw()
  return is_once and table.remove(callers) or callers[math.random(#callers)]
end

function init(args)
  method, path, items, stores = args[1], args[2], tonumber(args[4]), tonumber(args[5])
  body = os.getenv("BENCH_BODY")
  if body == "" then body = nil end
  math.randomseed(tonumber(args[6]))
  for token in os.getenv("BENCH_TOKENS"):gmatch("[^,]+") do
    table.insert(callers, caller(token, args[3] == "signed"))
  end
  if tonumber(args[7]) > 0 then use_once(tonumber(args[7]), tonumber(args[6])) end
end

function request()
  local about = {number = math.random(items), caller = draw()}
  return wrk.format(method, fill(path, about), about.caller.headers, body and fill(body, about))
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "broken": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
