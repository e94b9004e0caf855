-- "Yes" and "yes " are one choice.
UPDATE vote SET choice = lower(trim(choice))
