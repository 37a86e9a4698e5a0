-- When a pixel's token was set: what the audit says, else when the pixel was made.
ALTER TABLE pixel ADD COLUMN token_us bigint NOT NULL DEFAULT 0;
UPDATE pixel p SET token_us = coalesce((SELECT max(a.at_us) FROM audit a WHERE a.object LIKE 'pixel ' || p.id || ' (%'
	AND a.after LIKE '%"token":%'), p.created_us) WHERE token IS NOT NULL;
