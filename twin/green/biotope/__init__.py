"""The biotope area ratio (생태면적률): surfaces of the ground, rule sets that weigh them, and the roof that PV and plants share."""
