"""Promises of storage.yaml that the emulator ignores, so nothing else would notice that they are broken."""

import pytest
import template as templates

STORAGE = templates.load(templates.NESTED["Storage"])
FILES = templates.load(templates.NESTED["Files"])["Resources"]
TABLES = templates.resources(STORAGE, "AWS::DynamoDB::Table")
KEY_ARN = {"Fn::GetAtt": ["Key", "Arn"]}


def statements(policy: dict) -> dict[str, dict]:
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_there_are_three_tables():
    assert {table["TableName"]["Fn::Sub"] for table in TABLES.values()} == {
        "${Prefix}-ledger",
        "${Prefix}-resources",
        "${Prefix}-config",
    }


@pytest.mark.parametrize("name", TABLES)
class TestTable:
    def test_expires_items(self, name):
        assert TABLES[name]["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}

    def test_can_be_restored_to_a_point_in_time(self, name):
        assert TABLES[name]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True

    def test_is_encrypted_with_our_key(self, name):
        assert TABLES[name]["SSESpecification"] == {
            "SSEEnabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": KEY_ARN,
        }

    def test_is_billed_per_request(self, name):
        assert TABLES[name]["BillingMode"] == "PAY_PER_REQUEST"

    def test_is_protected_from_deletion(self, name):
        assert TABLES[name]["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}

    def test_has_the_keys_of_a_document_store(self, name):
        assert [(key["AttributeName"], key["KeyType"]) for key in TABLES[name]["KeySchema"]] == [
            ("pk", "HASH"),
            ("sk", "RANGE"),
        ]


def test_the_ledger_finds_by_connection_and_by_attention():
    indexes = {index["IndexName"]: index for index in TABLES["Ledger"]["GlobalSecondaryIndexes"]}
    keys = {name: [key["AttributeName"] for key in index["KeySchema"]] for name, index in indexes.items()}
    assert keys == {"by-connection": ["cpk", "csk"], "by-attention": ["apk", "ask"]}
    assert indexes["by-connection"]["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["doc"]}
    assert indexes["by-attention"]["Projection"] == {"ProjectionType": "ALL"}


@pytest.mark.parametrize("name", ["Key", "Ledger", "ResourceStore", "Config", "Payloads"])
def test_data_survives_the_stack(name):
    assert STORAGE["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert STORAGE["Resources"][name]["UpdateReplacePolicy"] == "Retain"


def test_everything_that_holds_data_is_in_the_list_above():
    kinds = {"AWS::KMS::Key", "AWS::DynamoDB::Table", "AWS::S3::Bucket"}
    holding = {name for name, resource in STORAGE["Resources"].items() if resource["Type"] in kinds}
    assert holding == {"Key", "Ledger", "ResourceStore", "Config", "Payloads"}


def test_the_key_rotates():
    key = STORAGE["Resources"]["Key"]["Properties"]
    assert key["EnableKeyRotation"] is True
    assert key["RotationPeriodInDays"] <= 365
    assert key["PendingWindowInDays"] == 30


def test_services_use_the_key_under_a_condition_only():
    for statement in STORAGE["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"]:
        if "Service" in statement["Principal"]:
            assert statement["Condition"], statement["Sid"]
            assert "kms:*" not in statement["Action"], statement["Sid"]


class TestBucket:
    bucket = STORAGE["Resources"]["Payloads"]["Properties"]

    def test_keeps_versions(self):
        assert self.bucket["VersioningConfiguration"] == {"Status": "Enabled"}

    def test_is_encrypted_with_our_key(self):
        (rule,) = self.bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY_ARN}
        assert rule["BucketKeyEnabled"] is True

    def test_is_closed_to_the_public(self):
        assert set(self.bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(self.bucket["PublicAccessBlockConfiguration"]) == 4

    def test_has_no_access_lists(self):
        assert self.bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}

    def test_takes_modern_tls_only(self):
        policy = STORAGE["Resources"]["PayloadsPolicy"]["Properties"]
        assert policy["Bucket"] == {"Ref": "Payloads"}
        rules = statements(policy["PolicyDocument"])
        assert rules["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert rules["ModernTlsOnly"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
        for rule in rules.values():
            assert (rule["Effect"], rule["Principal"], rule["Action"]) == ("Deny", "*", "s3:*")
            assert len(rule["Resource"]) == 2, "the bucket and its objects"

    def test_forgets_old_versions_and_broken_uploads(self):
        rules = {rule["Id"]: rule for rule in self.bucket["LifecycleConfiguration"]["Rules"]}
        assert rules["clean-up"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
        assert rules["clean-up"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
        assert {rule["Status"] for rule in rules.values()} == {"Enabled"}

    def test_clears_away_payloads_only_when_no_tenant_can_still_read_them(self):
        rules = {rule["Id"]: rule for rule in self.bucket["LifecycleConfiguration"]["Rules"]}
        assert rules["clear-away"]["Prefix"] == "payloads/"
        six_years_on_a_queue = 2192 + 14 + 1
        assert rules["clear-away"]["ExpirationInDays"] >= six_years_on_a_queue


class TestFiles:
    bucket = FILES["Files"]["Properties"]

    def test_survive_the_stack(self):
        assert FILES["Files"]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert FILES["Files"]["UpdateReplacePolicy"] == "Retain"

    def test_are_kept_as_payloads_are(self):
        payloads = STORAGE["Resources"]["Payloads"]["Properties"]
        for promise in ("OwnershipControls", "PublicAccessBlockConfiguration", "VersioningConfiguration"):
            assert self.bucket[promise] == payloads[promise], promise
        (rule,) = self.bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KeyArn"}}
        assert (rule["BucketKeyEnabled"], rule["ServerSideEncryptionByDefault"]) == (True, encryption)

    def test_take_modern_tls_only(self):
        policy = FILES["FilesPolicy"]["Properties"]
        assert policy["Bucket"] == {"Ref": "Files"}
        rules = statements(policy["PolicyDocument"])
        assert rules["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert rules["ModernTlsOnly"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
        assert {rule["Effect"] for rule in rules.values()} == {"Deny"}

    def test_are_told_of_when_they_are_dropped_and_only_then(self):
        (told,) = self.bucket["NotificationConfiguration"]["QueueConfigurations"]
        assert (told["Event"], told["Queue"]) == ("s3:ObjectCreated:*", {"Ref": "DropsArn"})
        assert told["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "drops/"}]

    def test_are_forgotten_but_the_last_snapshot_is_not(self):
        rules = {rule["Id"]: rule for rule in self.bucket["LifecycleConfiguration"]["Rules"]}
        prefixes = {rule.get("Prefix"): rule.get("ExpirationInDays") for rule in rules.values()}
        assert prefixes == {None: None, "drops/": {"Ref": "FileRetentionDays"}, "outbox/": 400, "work/": 14}
        assert rules["clean-up"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}


def test_functions_use_the_key_through_services_or_for_a_named_tenant():
    policy = STORAGE["Resources"]["EveryFunctionPolicy"]["Properties"]["PolicyDocument"]
    kms = {sid: s for sid, s in statements(policy).items() if "kms:" in str(s["Action"])}
    assert set(kms) == {"UseTheKeyThroughServices", "SealForTenants"}
    assert kms["UseTheKeyThroughServices"]["Condition"] == {
        "StringLike": {"kms:ViaService": ["dynamodb.*", "s3.*", "sqs.*"]}
    }
    assert kms["SealForTenants"]["Condition"] == {"Null": {"kms:EncryptionContext:tenant": "false"}}
    for statement in kms.values():
        assert statement["Resource"] == KEY_ARN
        assert set(statement["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
