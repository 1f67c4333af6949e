-- One item.
--
-- ARGV  id
-- Answers  packed payload mac | (nothing)
local v = load(ARGV[1], true)
if not v then return {} end
return {pack(ARGV[1], v), v[PAYLOAD] or '', v[MAC] or ''}
