-- Lists the controllers that are members, or were and have not left by themselves.
--
-- Answers  (controller, name, host, facts, ms since it is gone (-1: it is a member), how many of its builds run again)...
local answer = {}
for _, c in ipairs(redis.call('SMEMBERS', P .. 'homes')) do
  local known = redis.call('HMGET', P .. 'home:' .. c, 'name', 'host', 'facts', 'gone')
  local epoch = redis.call('HGET', P .. 'member:' .. c, 'epoch')
  local lives = epoch and member(c, epoch)
  -- Who is just joining is no member yet, and not gone.
  if lives or known[4] then
    for _, value in ipairs({c, known[1] or c, known[2] or '', known[3] or '', lives and '-1' or int(now - known[4]),
      redis.call('SCARD', P .. 'reran:' .. c)}) do
      answer[#answer + 1] = value
    end
  end
end
return answer
