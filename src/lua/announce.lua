-- Tells all.
--
-- ARGV  from, topic, subject, number, body, mac
-- Answers  OK
tell('a', 'f', ARGV[1], 't', ARGV[2], 's', ARGV[3], 'x', ARGV[4], 'b', ARGV[5], 'c', ARGV[6])
return {'OK'}
