import { expect, test } from 'vitest'
import { signedRequest } from './aliyun/signature.ts'
import { signedHeaders } from './tencent/signature.ts'

test('Aliyun: the published example of ACS3-HMAC-SHA256', () => {
  const { url, headers } = signedRequest(
    {
      host: 'ecs.cn-shanghai.aliyuncs.com',
      action: 'RunInstances',
      version: '2014-05-26',
      query: { RegionId: 'cn-shanghai', ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd' },
      now: Date.UTC(2023, 9, 26, 10, 22, 32),
      nonce: '3156853299f313e23d1673dc12e1703d',
    },
    { accessKeyId: 'YourAccessKeyId', accessKeySecret: 'YourAccessKeySecret' },
  )
  expect(url).toBe(
    'https://ecs.cn-shanghai.aliyuncs.com/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai',
  )
  expect(headers['authorization']).toContain(
    'Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0',
  )
})

test('Tencent Cloud: the published example of TC3-HMAC-SHA256 with the action signed', () => {
  const headers = signedHeaders(
    {
      host: 'cvm.tencentcloudapi.com',
      service: 'cvm',
      action: 'DescribeInstances',
      version: '2017-03-12',
      region: 'ap-guangzhou',
      body: String.raw`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`,
      now: 1_551_113_065_000,
    },
    { secretId: 'id', secretKey: ['Gu5t9xGARNpq86cd98joQYCN3', 'EXAMPLE'].join('') },
  )
  expect(headers['authorization']).toBe(
    'TC3-HMAC-SHA256 Credential=id/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action, ' +
      'Signature=644be983de9a8a3f00db8eadaba61467c3b429e2215758ba897b738ca469fd26',
  )
})
