"""Movement: what carries records between the topics, the judgement and the people."""
