"""sftp.yaml and sftp-user.yaml: who may come in, and that each connection is alone with its own two folders."""

import re

import template as templates

SFTP = templates.load(templates.SFTP)
USER = templates.load(templates.SFTP_USER)
MAIN = templates.load(templates.MAIN)
(SERVER,) = templates.resources(SFTP, "AWS::Transfer::Server").values()
(PERSON,) = templates.resources(USER, "AWS::Transfer::User").values()
(POLICY,) = templates.resources(USER, "AWS::IAM::ManagedPolicy").values()
(ROLE,) = templates.resources(USER, "AWS::IAM::Role").values()
ALLOWED = {statement["Sid"]: statement for statement in POLICY["PolicyDocument"]["Statement"]}


def test_the_server_speaks_sftp_and_is_reached_from_the_senders_network_only():
    assert SERVER["Protocols"] == ["SFTP"]
    assert SERVER["EndpointType"] == "VPC"
    (group,) = templates.resources(SFTP, "AWS::EC2::SecurityGroup").values()
    assert SERVER["EndpointDetails"]["SecurityGroupIds"] == [{"Ref": "Senders"}]
    (rule,) = group["SecurityGroupIngress"]
    assert (rule["FromPort"], rule["ToPort"], rule["CidrIp"]) == (22, 22, {"Ref": "SenderNetwork"})


def test_every_session_is_logged_and_the_log_is_encrypted():
    (logs,) = templates.resources(SFTP, "AWS::Logs::LogGroup").values()
    assert SERVER["StructuredLogDestinations"] == [{"Fn::GetAtt": ["Logs", "Arn"]}]
    assert logs["KmsKeyId"] == {"Ref": "KeyArn"}
    assert logs["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    # The key lets logs use it for groups of these names alone.
    key = templates.load(templates.NESTED["Storage"])["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"]
    (grant,) = [statement for statement in key if statement["Sid"] == "EncryptLogGroups"]
    names = [arn["Fn::Sub"] for arn in grant["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]]
    ours = logs["LogGroupName"]["Fn::Sub"].replace("${Bridge}", "${Prefix}")
    assert any(name.endswith(":log-group:" + ours.removesuffix("sftp") + "*") for name in names)


def test_a_connection_sees_its_own_two_folders():
    assert PERSON["HomeDirectoryType"] == "LOGICAL"
    targets = {one["Entry"]: one["Target"]["Fn::Sub"] for one in PERSON["HomeDirectoryMappings"]}
    assert targets == {
        "/drops": "/${Bucket}/drops/${Connection}",
        "/outbox": "/${Bucket}/outbox/${Connection}",
    }
    assert ALLOWED["Drop"]["Resource"]["Fn::Sub"].endswith(":${Bucket}/drops/${Connection}/*")
    assert ALLOWED["Fetch"]["Resource"]["Fn::Sub"].endswith(":${Bucket}/outbox/${Connection}/*")
    prefixes = ALLOWED["SeeItsOwn"]["Condition"]["StringLike"]["s3:prefix"]
    # Without the slash, `a.b` would see what is `a.bc`'s.
    pattern = re.compile(r"(drops|outbox)/\$\{Connection\}(/\*)?")
    assert all(pattern.fullmatch(prefix["Fn::Sub"]) for prefix in prefixes)


def test_a_connection_can_not_take_back_what_it_dropped_nor_read_it():
    actions = set()
    for statement in ALLOWED.values():
        assert statement["Effect"] == "Allow"
        action = statement["Action"]
        actions |= set(action if isinstance(action, list) else [action])
    assert actions == {
        "s3:PutObject",
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListBucket",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    }
    assert ALLOWED["Drop"]["Action"] == ["s3:PutObject", "s3:AbortMultipartUpload"]


def test_the_key_is_used_through_s3_and_the_role_by_this_server_alone():
    assert set(ALLOWED["UseTheKeyThroughS3"]["Condition"]["StringEquals"]) == {"kms:ViaService"}
    (trust,) = ROLE["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "transfer.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert trust["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":user/${Server}/*")


def test_connections_are_named_as_the_bridge_names_them_and_the_bucket_tells_of_their_folder():
    pattern = USER["Parameters"]["Connection"]["AllowedPattern"]
    assert re.match(pattern, "sunrise.front-desk")
    for wrong in ("sunrise", "sunrise.*", "sunrise.front/desk", "Sunrise.desk", "../x.y", "sunrise.front-desk/"):
        assert not re.match(pattern, wrong), wrong
    outputs = MAIN["Outputs"]
    assert {"FilesBucket", "KeyId"} <= set(outputs)
    files = templates.load(templates.NESTED["Files"])["Resources"]["Files"]["Properties"]
    (told,) = files["NotificationConfiguration"]["QueueConfigurations"]
    assert told["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "drops/"}]
