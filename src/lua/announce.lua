-- Tells all.
--
-- ARGV  from, topic, subject, number, body, stamp, mac
-- Answers  OK
though_full()
tell('a', 'f', ARGV[1], 't', ARGV[2], 's', ARGV[3], 'x', ARGV[4], 'b', ARGV[5], 'p', ARGV[6], 'c', ARGV[7])
return {'OK'}
